export default {
  slow: () => {
    throw new Error('out of paper');
  },
};
