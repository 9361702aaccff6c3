/** What the model that answers has learnt from, as far as it remembers: no picture, but where each cell lay. */
import { Loader, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { FeatureMap } from '../api/types';
import type { Answered } from '../api/useAnswer';
import { FailureNote } from '../layout/FailureNote';
import { useFormat } from '../parts/format';
import { Balance } from './Balance';
import { ClassBars } from './ClassBars';
import styles from './Data.module.css';
import { dotsOf } from './dots';
import { Scatter } from './Scatter';
import { View } from './View';

export function Learnt({ map }: { map: Answered<FeatureMap> }) {
  const { t } = useTranslation();
  if (map.failure) return <FailureNote error={map.failure} onRetry={map.again} />;
  if (!map.data) return <Loader m="xl" role="progressbar" aria-label={t('data.waiting')} />;
  return <Told map={map.data} />;
}

function Told({ map }: { map: FeatureMap }) {
  const { t } = useTranslation();
  const format = useFormat();
  const named = (laboratory: string) => (laboratory === 'base' ? t('data.base') : laboratory);
  const first = map.learnt.find(({ laboratory }) => laboratory === 'base') ?? map.learnt[0];
  return (
    <>
      <Text c="var(--muted)">{t('data.learntWhat', { version: map.version })}</Text>
      <div className={styles.views}>
        <View title={t('data.balance')} note={t('data.balanceNote')}>
          <Balance
            rows={map.learnt.map((one) => ({
              name: named(one.laboratory),
              Parasitized: one.parasitized,
              Uninfected: one.uninfected,
            }))}
          />
        </View>
        {first ? (
          <View
            title={t('data.perPatient')}
            note={t('data.learntPatients', { count: first.patients.length, name: named(first.laboratory) })}
          >
            <ClassBars
              dataKey="patient"
              data={first.patients.map((one, place) => ({
                patient: format.count(place + 1),
                Parasitized: one.parasitized,
                Uninfected: one.uninfected,
              }))}
            />
          </View>
        ) : null}
        <View
          title={t('data.map')}
          note={t('data.mapNote', {
            across: format.percent(map.explained[0] ?? 0),
            up: format.percent(map.explained[1] ?? 0),
          })}
        >
          <Scatter
            dots={dotsOf(map, false)}
            label={t('data.mapOf', { count: map.points.length })}
            across={t('data.first')}
            up={t('data.second')}
          />
        </View>
      </div>
    </>
  );
}
