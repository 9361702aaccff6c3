/** How many cells of each class lie where. */
import type { ReactNode } from 'react';
import { ClassBars } from './ClassBars';
import type { Bin } from './figures';

interface Props {
  bins: readonly Bin[];
  value: (value: number) => string;
}

export function Histogram({ bins, value }: Props) {
  const between = (from: ReactNode) => {
    const bin = bins.find((one) => one.from === from);
    return bin ? `${value(bin.from)} – ${value(bin.to)}` : null;
  };
  return (
    <ClassBars
      data={bins.map((bin) => ({ ...bin }))}
      dataKey="from"
      xAxisProps={{ tickFormatter: value }}
      tooltipProps={{ labelFormatter: between }}
    />
  );
}
