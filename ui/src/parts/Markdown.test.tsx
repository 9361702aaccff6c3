// @vitest-environment happy-dom
import { cleanup, render } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { Markdown } from './Markdown';

const html = (text: string) => render(<Markdown text={text} />).container;
afterEach(cleanup);

describe('the Markdown of the server', () => {
  it('becomes paragraphs, lists, code and tables', () => {
    const made = html(
      'One **bold**, *italic* `a | b`\nand on.\n\n- first\n  goes on\n- second\n\n1. one\n2. two\n\n```sh\nmalaria x\n\n  --y\n```\n\n| a | b |\n| --- | --- |\n| 1 \\| 2 | `c` |',
    );
    expect(made.querySelector('p')?.innerHTML).toBe(
      'One <strong>bold</strong>, <em>italic</em> <code>a | b</code> and on.',
    );
    expect([...made.querySelectorAll('ul li')].map((one) => one.textContent)).toEqual([
      'first goes on',
      'second',
    ]);
    expect(made.querySelectorAll('ol li')).toHaveLength(2);
    expect(made.querySelector('pre')?.textContent).toBe('malaria x\n\n  --y');
    expect([...made.querySelectorAll('td')].map((one) => one.textContent)).toEqual(['1 | 2', 'c']);
    expect([...made.querySelectorAll('th')].map((one) => one.textContent)).toEqual(['a', 'b']);
  });

  it('never becomes HTML of its own', () => {
    const made = html(
      '<img src=x onerror="alert(1)"> **<b>x</b>** [y](javascript:alert(1))\n\n| <i>z</i> |\n| --- |\n| 1 |',
    );
    expect(made.querySelector('img, i, a, b')).toBeNull();
    expect(made.textContent).toContain('<img src=x onerror="alert(1)">');
  });

  it('has no head where its columns have no names', () => {
    expect(html('|  |  |\n| --- | --- |\n| network | x |').querySelector('thead')).toBeNull();
  });
});
