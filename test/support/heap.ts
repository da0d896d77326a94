/** Watches the heap of TFJS's wasm back end: blocks begin with rubbish, and nobody may write behind their end. */
interface Heap {
  _malloc(bytes: number): number;
  _free(at: number): void;
  HEAPU8: Uint8Array;
}

/** Bytes behind each block. */
const fence = 4096;

/** Returns a question: how many blocks were written behind since the last time? */
export function watchHeap(backend: object): () => number {
  const { wasm } = backend as { wasm: Heap };
  const [malloc, free] = [wasm._malloc, wasm._free];
  const blocks = new Map<number, number>();
  let broken = 0;
  const look = (at: number, bytes: number) => {
    const behind = wasm.HEAPU8.subarray(at + bytes, at + bytes + fence);
    if (behind.some((byte) => byte !== 0xa5)) broken++;
    behind.fill(0xa5);
  };
  wasm._malloc = (bytes) => {
    const at = malloc(bytes + fence);
    // else a kernel that writes nothing would be right by chance
    wasm.HEAPU8.fill(0x5a, at, at + bytes);
    wasm.HEAPU8.fill(0xa5, at + bytes, at + bytes + fence);
    blocks.set(at, bytes);
    return at;
  };
  wasm._free = (at) => {
    if (blocks.has(at)) look(at, blocks.get(at)!);
    blocks.delete(at);
    free(at);
  };
  return () => {
    for (const [at, bytes] of blocks) look(at, bytes);
    const found = broken;
    broken = 0;
    return found;
  };
}
