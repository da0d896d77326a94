/** LZ4 frames, as Arrow IPC compresses its buffers (github.com/lz4/lz4: lz4_Frame_format.md, lz4_Block_format.md). Checksums are not looked at. */

const broken = (what: string): Error => new Error(`LZ4 data is broken: ${what}`);

/** Bytes that grow: a match copies from what is there already. */
class Out {
  bytes: Uint8Array;
  length = 0;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const wider = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2));
    wider.set(this.bytes.subarray(0, this.length));
    this.bytes = wider;
  }
  add(piece: Uint8Array): void {
    this.reserve(piece.length);
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }
  /** `count` bytes from `back` bytes ago, which may run into what is being written */
  repeat(back: number, count: number): void {
    if (back === 0 || back > this.length) throw broken("a match begins before the data");
    this.reserve(count);
    const { bytes } = this;
    const to = this.length;
    if (back >= count) bytes.copyWithin(to, to - back, to - back + count);
    else for (let i = 0; i < count; i++) bytes[to + i] = bytes[to - back + i]!;
    this.length += count;
  }
}

export function decodeLz4(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 7 || view.getUint32(0, true) !== 0x184d2204) throw broken("it does not begin as a frame");
  const flags = frame[4]!;
  if (flags >> 6 !== 1) throw broken(`version ${flags >> 6}`);
  const [blockSum, hasSize, hasDictionary] = [(flags & 16) !== 0, (flags & 8) !== 0, (flags & 1) !== 0];
  if (hasDictionary) throw broken("it needs a dictionary");
  // the size that is told is believed up to what the longest matches could give
  const told = hasSize && frame.length >= 15 ? Number(view.getBigUint64(6, true)) : 0;
  const out = new Out(Math.max(64, Math.min(told || frame.length * 3, frame.length * 255)));
  let at = 6 + (hasSize ? 8 : 0) + 1;
  for (;;) {
    if (at + 4 > frame.length) throw broken("it ends early");
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) return out.bytes.subarray(0, out.length);
    const size = head & 0x7fffffff;
    if (at + size > frame.length) throw broken("it ends early");
    const block = frame.subarray(at, at + size);
    if (head >>> 31) out.add(block);
    else decodeBlock(block, out);
    at += size + (blockSum ? 4 : 0);
  }
}

function decodeBlock(block: Uint8Array, out: Out): void {
  let at = 0;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw broken("a block ends early");
    return value;
  };
  /** 15 is followed by bytes that are added to it, up to one below 255 */
  const long = (short: number): number => {
    if (short < 15) return short;
    let length = 15;
    for (let more = 255; more === 255; length += more) more = byte();
    return length;
  };
  while (at < block.length) {
    const token = byte();
    const literals = long(token >> 4);
    if (at + literals > block.length) throw broken("a block ends early");
    out.add(block.subarray(at, at + literals));
    at += literals;
    // the last sequence has no match
    if (at === block.length) return;
    const back = byte() + byte() * 256;
    out.repeat(back, long(token & 15) + 4);
  }
}
