/** Least squares with no negative coefficient: what costs is never less than nothing. Pure. */

/** Of each coefficient one value, in the rows' order of values. */
export type Row = { readonly values: readonly number[]; readonly result: number };

const SWEEPS = 20_000;
const CLOSE_ENOUGH = 1e-10;

/**
 * The coefficients, none negative, that make Σ ((values · coefficients − result) × weight)² least, coordinate by coordinate.
 * @param weightOf how much a row counts; 1 ÷ its result makes errors relative.
 */
export function nonNegativeLeastSquares(rows: readonly Row[], weightOf: (row: Row) => number): readonly number[] {
  const width = rows[0]?.values.length ?? 0;
  const weighted = rows.map((row) => {
    const weight = weightOf(row);
    return { values: row.values.map((value) => value * weight), result: row.result * weight };
  });
  // Columns of like size, so that steps along them are.
  const scales = Array.from({ length: width }, (_, at) =>
    Math.sqrt(weighted.reduce((sum, { values }) => sum + (values[at] ?? 0) ** 2, 0)),
  );
  const coefficients = Array<number>(width).fill(0);
  const residuals = weighted.map(({ result }) => -result);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let moved = 0;
    for (const [at, scale] of scales.entries()) {
      if (scale === 0) continue;
      const before = coefficients[at] ?? 0;
      const gradient = weighted.reduce((sum, { values }, row) => sum + (values[at] ?? 0) * (residuals[row] ?? 0), 0);
      const after = Math.max(0, before - gradient / scale ** 2);
      coefficients[at] = after;
      for (const [row, { values }] of weighted.entries())
        residuals[row] = (residuals[row] ?? 0) + (after - before) * (values[at] ?? 0);
      moved = Math.max(moved, Math.abs(after - before) * scale);
    }
    if (moved < CLOSE_ENOUGH) break;
  }
  return coefficients;
}
