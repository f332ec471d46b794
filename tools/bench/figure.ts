/** Prints one figure as a JSON line. */
export function figure(
  name: string,
  value: number,
  unit: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const digits = Math.abs(value) >= 100 ? 0 : 2
  console.log(JSON.stringify({ name, value: Number(value.toFixed(digits)), unit, ...more }))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
