/** The views of labelled cells, which fill as answers come. */
import { useTranslation } from 'react-i18next';
import type { FeatureMap } from '../api/types';
import { useFormat } from '../parts/format';
import { CLASSES, type Class } from '../training/content';
import { Balance } from './Balance';
import { ClassBars } from './ClassBars';
import { ContactSheet } from './ContactSheet';
import styles from './Data.module.css';
import { dotsOf } from './dots';
import { doubted, histogram, perPatient } from './figures';
import { Histogram } from './Histogram';
import type { Looks } from './looks';
import { Scatter } from './Scatter';
import type { Studied, Study } from './study';
import { TypicalMaps } from './TypicalMaps';
import { View } from './View';

const BINS = 20;

export function MineViews({ study, map }: { study: Study; map: FeatureMap | null }) {
  const { t } = useTranslation();
  const { cells, content } = study;
  const patients = perPatient(cells);
  const seen = cells.flatMap(({ looks, label }) => (looks ? [{ ...looks, label }] : []));
  const [parasitized, uninfected] = CLASSES.map((label) => cells.filter((one) => one.label === label).length);
  return (
    <div className={styles.views}>
      <View title={t('data.balance')} note={t('data.mineBalanceNote')} wide>
        <Balance
          rows={[{ name: content.name, Parasitized: parasitized ?? 0, Uninfected: uninfected ?? 0 }]}
        />
      </View>
      <View
        title={t('data.perPatient')}
        note={
          patients.length > 0
            ? [
                t('data.minePatients', { count: patients.length }),
                ...(content.unknown ? [t('data.unnamed', { count: content.unknown })] : []),
              ].join(' ')
            : t('data.noPatients')
        }
      >
        {patients.length > 0 ? (
          <ClassBars data={patients.map((one) => ({ ...one }))} dataKey="patient" />
        ) : null}
      </View>
      <Appearance seen={seen} />
      <Confidence cells={cells} />
      <Stain seen={seen} />
      <Placed cells={cells} map={map} />
      <View title={t('data.typical')} note={t('data.typicalNote')} wide>
        <TypicalMaps cells={cells} ready={study.run.ended} />
      </View>
      <View title={t('data.errors')} note={t('data.errorsNote')} wide>
        <ContactSheet cells={doubted(cells)} ready={study.run.ended} name={content.name} />
      </View>
    </div>
  );
}

type Seen = Looks & { label: Class };

function Appearance({ seen }: { seen: readonly Seen[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const of = (pick: (one: Seen) => number) =>
    histogram(
      seen.map((one) => ({ value: pick(one), label: one.label })),
      BINS,
    );
  return (
    <>
      <View title={t('data.sizes')} note={t('data.sizesNote')}>
        <Histogram bins={of((one) => one.side)} value={(side) => format.count(Math.round(side))} />
      </View>
      <View title={t('data.brightness')} note={t('data.brightnessNote')}>
        <Histogram bins={of((one) => one.brightness)} value={(light) => format.count(Math.round(light))} />
      </View>
    </>
  );
}

function Stain({ seen }: { seen: readonly Seen[] }) {
  const { t } = useTranslation();
  return (
    <View title={t('data.stain')} note={t('data.stainNote')}>
      <Scatter
        dots={seen.map(({ red, blue, label }) => ({ x: red, y: blue, label }))}
        label={t('data.stainOf', { count: seen.length })}
        across={t('data.red')}
        up={t('data.blue')}
      />
    </View>
  );
}

function Confidence({ cells }: { cells: readonly Studied[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const values = cells.flatMap(({ cell, label }) =>
    cell.answer?.probability === null || !cell.answer ? [] : [{ value: cell.answer.probability, label }],
  );
  return (
    <View title={t('data.confidence')} note={t('data.confidenceNote')}>
      <Histogram bins={histogram(values, BINS, [0, 1])} value={format.percent} />
    </View>
  );
}

function Placed({ cells, map }: { cells: readonly Studied[]; map: FeatureMap | null }) {
  const { t } = useTranslation();
  const own = cells.flatMap(({ cell, label }) =>
    cell.answer?.place ? [{ x: cell.answer.place[0], y: cell.answer.place[1], label }] : [],
  );
  return (
    <View title={t('data.map')} note={t('data.mineMapNote')}>
      <Scatter
        dots={[...(map ? dotsOf(map, true) : []), ...own]}
        label={t('data.mapOf', { count: own.length })}
        across={t('data.first')}
        up={t('data.second')}
      />
    </View>
  );
}
