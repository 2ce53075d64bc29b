export default { 'train step': 3 };
