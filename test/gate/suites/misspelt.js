export default { run: { setup: () => 1, runs: () => 1 } };
