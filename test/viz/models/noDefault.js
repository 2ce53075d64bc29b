export const model = 3;
