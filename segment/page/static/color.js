// Colours as numbers: bytes red, green, blue, alpha in the order of ImageData, little-endian.

export function rgba(red, green, blue, alpha = 255) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function fromHex(hex, alpha = 255) {
  const value = parseInt(hex.slice(1), 16);
  return rgba(value >> 16, (value >> 8) & 255, value & 255, alpha);
}

export function toHex(color) {
  const two = (value) => value.toString(16).padStart(2, "0");
  return `#${two(color & 255)}${two((color >> 8) & 255)}${two((color >> 16) & 255)}`;
}

// A mixture of two colours; where the first is clear, the second thinned.
export function mixed(color, other, share) {
  const alpha = color >>> 24;
  if (!alpha) return ((other & 0xffffff) | (Math.round(255 * share) << 24)) >>> 0;
  const part = (shift) => Math.round(((color >>> shift) & 255) * (1 - share) + ((other >>> shift) & 255) * share);
  return rgba(part(0), part(8), part(16), alpha + Math.round((255 - alpha) * share));
}

export function withAlpha(color, alpha) {
  return ((color & 0xffffff) | (Math.round(255 * alpha) << 24)) >>> 0;
}

// Rounds halves to even, as NumPy does.
export function rint(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2) ? low + 1 : low;
}

// A colour for the k-th of many things: a golden angle apart in hue, and unlike in lightness.
export function distinct(k) {
  const hue = k * Math.PI * (3 - Math.sqrt(5));
  const lightness = [62, 80, 48, 71][k % 4];
  const chroma = [46, 38, 34][k % 3];
  return fromLab(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

function fromLab(lightness, a, b) {
  const fy = (lightness + 16) / 116;
  const linear = (t) => (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29));
  const x = 0.9505 * linear(fy + a / 500), y = linear(fy), z = 1.0891 * linear(fy - b / 200);
  const encoded = (value) => {
    const clipped = Math.min(Math.max(value, 0), 1);
    return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
  };
  return rgba(
    encoded(3.2405 * x - 1.5371 * y - 0.4985 * z),
    encoded(-0.9693 * x + 1.876 * y + 0.0416 * z),
    encoded(0.0556 * x - 0.204 * y + 1.0572 * z),
  );
}
