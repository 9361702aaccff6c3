/** The Markdown that the server writes, as elements: never as HTML, so nothing in it can act. */
import { Fragment, type ReactNode } from 'react';
import styles from './Markdown.module.css';

export function Markdown({ text }: { text: string }) {
  return (
    <div className={styles.text}>
      {blocks(text).map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text does not change its order
        <Fragment key={at}>{drawn(block)}</Fragment>
      ))}
    </div>
  );
}

/** What stands between empty lines; a fence holds empty lines, too. */
function blocks(text: string): string[] {
  const found: string[] = [];
  for (const part of text.split(/(^```[^\n]*\n[\s\S]*?^```$)/m)) {
    if (part.startsWith('```')) found.push(part);
    else found.push(...part.split(/\n{2,}/).filter((block) => block.trim()));
  }
  return found.map((block) => block.replace(/^\n+|\n+$/g, ''));
}

function drawn(block: string): ReactNode {
  const lines = block.split('\n');
  const [first = ''] = lines;
  const heading = /^(#{1,6}) (.*)$/.exec(first);
  if (heading && lines.length === 1) return <p className={styles.heading}>{inline(heading[2] ?? '')}</p>;
  if (first.startsWith('```')) return <Code text={lines.slice(1, -1).join('\n')} />;
  if (first.startsWith('|')) return <Table lines={lines} />;
  if (/^- /.test(first)) return <ul>{items(lines, /^- /)}</ul>;
  if (/^\d+\. /.test(first)) return <ol start={Number.parseInt(first, 10)}>{items(lines, /^\d+\. /)}</ol>;
  return <p>{inline(lines.join(' '))}</p>;
}

function Code({ text }: { text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}

/** A line that begins no item belongs to the one before. */
function items(lines: readonly string[], mark: RegExp): ReactNode[] {
  const found: string[] = [];
  for (const line of lines) {
    if (mark.test(line)) found.push(line.replace(mark, ''));
    else found.push(`${found.pop() ?? ''} ${line.trim()}`);
  }
  // biome-ignore lint/suspicious/noArrayIndexKey: a text does not change its order
  return found.map((item, at) => <li key={at}>{inline(item)}</li>);
}

function Table({ lines }: { lines: readonly string[] }) {
  const [head = [], , ...rows] = lines.map(cells);
  const named = head.some((cell) => cell !== '');
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways
    <div className={styles.scroll} tabIndex={0}>
      <table>
        {named ? (
          <thead>
            <tr>
              {head.map((cell, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns stay where they are
                <th key={at} scope="col">
                  {inline(cell)}
                </th>
              ))}
            </tr>
          </thead>
        ) : null}
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows stay where they are
            <tr key={at}>
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns stay where they are
                <td key={column}>{inline(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The cells of a row; `\|` is no border. */
function cells(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Code, bold, italic, and links to other sites as plain addresses: the page asks nobody else for anything. */
function inline(text: string): ReactNode[] {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*\s][^*]*\*)/).map((part, at) => {
    const key = `${at} ${part}`;
    if (/^`.+`$/.test(part)) return <code key={key}>{part.slice(1, -1)}</code>;
    if (/^\*\*.+\*\*$/.test(part)) return <strong key={key}>{part.slice(2, -2)}</strong>;
    if (/^\*.+\*$/.test(part)) return <em key={key}>{part.slice(1, -1)}</em>;
    return part;
  });
}
