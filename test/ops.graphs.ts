export function randomGraphs(_count: (n: number) => void): void {}
