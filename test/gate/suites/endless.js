export default {
  fine: () => 1,
  endless: () => {
    for (;;);
  },
};
