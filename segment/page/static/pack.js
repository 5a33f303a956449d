// What segment/page/pack.py has packed: a header and deflated arrays.

const MAGIC = "SEGMENT1";
const LEFT = 0, ABOVE = 1, ABOVE_RIGHT = 2, NEXT = 3, NONE = 4;

export async function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  if (text(0, 8) !== MAGIC) throw new Error("this is no packed segmentation");
  const start = 12 + view.getUint32(8, true);
  const header = JSON.parse(text(12, start));
  const arrays = {};
  let at = start;
  for (const { name, dtype, bytes: length } of header.arrays) {
    const planes = await through(new DecompressionStream("deflate"), bytes.subarray(at, at + length));
    arrays[name] = joined(planes, dtype);
    at += length;
  }
  const { width, height, n_leaves: nLeaves } = header;
  const levels = new Uint32Array(arrays.levels);
  for (let i = 1; i < levels.length; i++) levels[i] += levels[i - 1];
  return {
    ...header,
    leaf: decodeLabels(arrays.codes, arrays.given, width, height, nLeaves),
    parents: arrays.parents,
    levels: new Float32Array(levels.buffer),
    means: arrays.means,
    stds: arrays.stds,
  };
}

export async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function joined(planes, dtype) {
  if (dtype === "uint8") return planes;
  const n = planes.length / 4;
  const bytes = new Uint8Array(planes.length);
  for (let k = 0; k < 4; k++) for (let i = 0; i < n; i++) bytes[4 * i + k] = planes[k * n + i];
  return new { int32: Int32Array, uint32: Uint32Array, float32: Float32Array }[dtype](bytes.buffer);
}

// Leaf of each pixel, from 1; 0 where there is none.
function decodeLabels(codes, given, width, height, nLeaves) {
  const n = width * height;
  const leaf = nLeaves < 65536 ? new Uint16Array(n) : new Int32Array(n);
  let largest = 0, next = 0;
  for (let i = 0; i < n; i++) {
    switch (i & 1 ? codes[i >> 1] >> 4 : codes[i >> 1] & 15) {
      case LEFT: leaf[i] = leaf[i - 1]; break;
      case ABOVE: leaf[i] = leaf[i - width]; break;
      case ABOVE_RIGHT: leaf[i] = leaf[i - width + 1]; break;
      case NEXT: leaf[i] = largest + 1; break;
      case NONE: leaf[i] = 0; break;
      default: leaf[i] = given[next++];
    }
    if (leaf[i] > largest) largest = leaf[i];
  }
  return leaf;
}
