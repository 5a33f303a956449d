// PNG and ZIP files from arrays.

import { through } from "./pack.js";

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(...parts) {
  let crc = ~0;
  for (const part of parts) for (const byte of part) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const ascii = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));

// A PNG of rows of bytes: gray of 8 or 16 bits (big-endian), RGB or RGBA.
export async function png(rows, width, height, { depth = 8, channels = 1 } = {}) {
  const length = (width * channels * depth) / 8;
  const raw = new Uint8Array(height * (length + 1));
  for (let y = 0; y < height; y++) {
    const from = y * length, to = y * (length + 1);
    raw[to] = y ? 2 : 0; // filter "up": labels and flat colours repeat downward
    for (let x = 0; x < length; x++) raw[to + 1 + x] = rows[from + x] - (y ? rows[from - length + x] : 0);
  }
  const data = await through(new CompressionStream("deflate"), raw);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([depth, { 1: 0, 3: 2, 4: 6 }[channels], 0, 0, 0], 8);
  const chunk = (name, content) => {
    const size = new Uint8Array(4), sum = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, content.length);
    new DataView(sum.buffer).setUint32(0, crc32(ascii(name), content));
    return [size, ascii(name), content, sum];
  };
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return new Blob([signature, ...chunk("IHDR", header), ...chunk("IDAT", data), ...chunk("IEND", new Uint8Array())], { type: "image/png" });
}

// A ZIP of [name, bytes] pairs, stored as they are; names are UTF-8.
export function zip(files) {
  const parts = [], directory = [];
  let at = 0;
  const record = (size, write) => {
    const bytes = new Uint8Array(size);
    write(new DataView(bytes.buffer));
    return bytes;
  };
  const common = (view, from, name, bytes, sum) => {
    view.setUint16(from, 20, true);
    view.setUint16(from + 2, 0x0800, true); // names are UTF-8
    view.setUint32(from + 6, 0x00210000, true); // no date: 1980-01-01
    view.setUint32(from + 10, sum, true);
    view.setUint32(from + 14, bytes.length, true);
    view.setUint32(from + 18, bytes.length, true);
    view.setUint16(from + 22, name.length, true);
  };
  for (const [text, bytes] of files) {
    const name = new TextEncoder().encode(text), sum = crc32(bytes), start = at;
    const local = record(30, (view) => {
      view.setUint32(0, 0x04034b50, true);
      common(view, 4, name, bytes, sum);
    });
    const central = record(46, (view) => {
      view.setUint32(0, 0x02014b50, true);
      view.setUint16(4, 20, true);
      common(view, 6, name, bytes, sum);
      view.setUint32(42, start, true);
    });
    parts.push(local, name, bytes);
    directory.push(central, name);
    at += 30 + name.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, (view) => {
    view.setUint32(0, 0x06054b50, true);
    view.setUint16(8, files.length, true);
    view.setUint16(10, files.length, true);
    view.setUint32(12, size, true);
    view.setUint32(16, at, true);
  });
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
