// What the board may be made of: Grafana's own types, narrowed to the panels that are used and widened nowhere.
import type { AnnotationQuery, Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type * as gauge from '@grafana/schema/dist/types/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen.d.ts';
import type * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen.d.ts';
import type * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen.d.ts';
import type * as text from '@grafana/schema/dist/types/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen.d.ts';
import type * as graph
  from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen.d.ts';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

// JSON has the values of enums where TypeScript wants their names.
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

type Query = Plain<Omit<Dataquery, '_implementsDataqueryVariant'>>;
type Common = Plain<Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'>>;
type Of<Type extends string, Options, Custom = never> = Common & {
  type: Type;
  options: Plain<Options>;
  targets: Query[];
  fieldConfig: Plain<Omit<FieldConfigSource, 'defaults'>> & {
    defaults: Plain<Omit<FieldConfig, 'custom'>> & { custom?: Plain<Partial<Custom>> };
  };
};
type Text = Plain<Omit<Panel, 'type' | 'options'>> & { type: 'text'; options: Plain<text.Options> };
type Row = Plain<Omit<RowPanel, 'panels' | 'type'>> & { type: 'row'; panels: never[] };
type Shown =
  | Of<'timeseries', graph.Options, graph.FieldConfig>
  | Of<'stat', stat.Options>
  | Of<'gauge', gauge.Options>
  | Of<'table', table.Options, table.FieldConfig>
  | Text
  | Row;

// What the data source Prometheus reads of an annotation beyond what all of them have.
type Line = Plain<AnnotationQuery> & {
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};
// @grafana/schema leaves out what only some kinds of variables have.
type Variable = NonNullable<NonNullable<Plain<Dashboard>['templating']>['list']>[number] & { definition?: string };

export type Board = Omit<Plain<Dashboard>, 'panels' | 'annotations' | 'templating'> & {
  panels: Shown[];
  annotations: { list: Line[] };
  templating: { list: Variable[] };
};
