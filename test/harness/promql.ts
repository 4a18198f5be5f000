/** What a query of a panel or a rule names: metrics, and labels of them. As far as ours are written, which is no parser of PromQL. */

export type Selector = { readonly metric: string; readonly labels: readonly string[] };

const SELECTOR = /\b((?:stream_infer|process|nodejs|kube|keda)[_:][a-zA-Z0-9_:]+)(?:\{([^}]*)\})?/g;
const GROUPED = /\b(?:by|on|ignoring|without|group_left|group_right) \(([^)]*)\)/g;

export function selectorsOf(expression: string): readonly Selector[] {
  return [...expression.matchAll(SELECTOR)].map(([, metric = '', matchers = '']) => ({
    metric,
    labels: [...matchers.matchAll(/([a-z_]+)(?:=~|!~|!=|=)"/gi)].map(([, label = '']) => label),
  }));
}

/** Labels that it groups by. */
export const groupedBy = (expression: string): readonly string[] =>
  [...expression.matchAll(GROUPED)].flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()));
