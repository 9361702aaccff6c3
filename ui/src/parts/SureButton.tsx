/** A button for what cannot be taken back: it takes a second press, within some seconds. */
import { Button } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';

const DOUBT = 5_000;

interface Props {
  label: string;
  /** What the button says once it has been pressed. */
  sure: string;
  icon: ReactNode;
  disabled?: boolean;
  /** Whether it needs no second press now. */
  harmless?: boolean;
  onSure: () => void;
}

export function SureButton({ label, sure, icon, disabled = false, harmless = false, onSure }: Props) {
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) return;
    const timer = setTimeout(() => setAsking(false), DOUBT);
    return () => clearTimeout(timer);
  }, [asking]);

  function press() {
    if (!asking && !harmless) {
      setAsking(true);
      return;
    }
    setAsking(false);
    onSure();
  }

  return (
    <Button
      variant={asking ? 'filled' : 'default'}
      color={asking ? 'red' : 'teal'}
      leftSection={icon}
      disabled={disabled}
      onClick={press}
    >
      {asking ? sure : label}
    </Button>
  );
}
