throw new Error('no such data');
