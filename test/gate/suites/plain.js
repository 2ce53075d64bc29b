// Benchmarks without nabla: set-up and tear-down, sync and async, items.
let open = 0;
export default async () => ({
  sum: () => {
    let s = 0;
    for (let i = 0; i < 1000; i++) s += i;
    return s;
  },
  wait: async () => {
    await null;
  },
  'with a context': {
    setup: async () => {
      if (++open > 1) throw new Error('set up twice without a tear-down');
      return { n: 500 };
    },
    run: ({ n }) => {
      let s = 0;
      for (let i = 0; i < n; i++) s += i;
      return s;
    },
    teardown: () => {
      open--;
    },
    items: 500,
    unit: 'numbers',
  },
});
