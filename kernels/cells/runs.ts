// Written by scripts/gen.mjs (`npm run gen`); do not edit.

/** The function behind each built-in call, by the call's name. */
export const runs = {  };
