import { ActionIcon, Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export interface Choice {
  key: string;
  label: string;
  icon?: ReactNode;
  /** The language that the label is written in, where it is not the page's. */
  lang?: string;
  choose: () => void;
}

/** A button of the header that opens a list of which one is chosen. */
export function IconMenu(props: {
  label: string;
  icon: ReactNode;
  chosen: string | undefined;
  choices: readonly Choice[];
}) {
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="xl" aria-label={props.label}>
          {props.icon}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {props.choices.map(({ key, label, icon, lang, choose }) => (
          <Menu.Item
            key={key}
            lang={lang}
            leftSection={icon}
            rightSection={key === props.chosen ? <IconCheck size="1rem" aria-hidden /> : null}
            onClick={choose}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
