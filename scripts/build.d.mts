export function buildServer(): Promise<boolean>;
export function buildWeb(say?: (text: string) => void): Promise<boolean>;
