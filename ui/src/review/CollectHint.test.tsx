// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { speak, start, withWords } from '../i18n';
import { preferences } from '../parts/preferences';
import { CollectHint } from './CollectHint';
import { unkept } from './unkept';

beforeAll(async () => {
  await start();
  await speak('en');
  await withWords(Promise.resolve());
});
afterEach(() => {
  cleanup();
  unkept.set(false);
  preferences.change({ collect: false });
});

describe('the hint beside what was said', () => {
  it('says whether it is kept, and does not say so where the browser keeps nothing', () => {
    render(
      <MantineProvider>
        <CollectHint />
      </MantineProvider>,
    );
    const said = () => screen.getByRole('status').textContent;
    expect(said()).toContain('forgotten when the page is closed');
    act(() => preferences.change({ collect: true }));
    expect(said()).toContain('What you say is kept in this browser');
    act(() => unkept.set(true));
    expect(said()).toContain('This browser does not keep labels');
  });
});
