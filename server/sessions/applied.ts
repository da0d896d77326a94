/** Which change of each client was applied last, so that one sent again after a lost answer is not applied twice. Pure. */
export type Applied = Readonly<Record<string, string>>;

/** clients remembered */
const most = 50;

/** The last token of each of the newest clients. */
export function remember(applied: Applied, client: string, token: string): Applied {
  const { [client]: _, ...others } = applied;
  return Object.fromEntries([...Object.entries(others).slice(1 - most), [client, token]]);
}
