// The colour of an identity: the same as in posebus' annotated videos (recordings/results/draw.py).

const kept = new Map<number, string>();
const MOST_KEPT = 4096;
const LIGHTNESS = [0.8, 0.72, 0.87] as const;
const CHROMA = 0.155;

/** Red, green and blue (0 to 255) of an identity: steps by the golden angle through the hues of OKLCH (Ottosson 2020). */
export function rgbOf(identity: number): [number, number, number] {
  const hue = ((25 + 137.508 * identity) * Math.PI) / 180;
  const lightness = LIGHTNESS[((identity % 3) + 3) % 3]!;
  const a = CHROMA * Math.cos(hue);
  const b = CHROMA * Math.sin(hue);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** The same as a colour of CSS. All of them are light, so dark ink can be read on each. */
export function colorOf(identity: number): string {
  let color = kept.get(identity);
  if (color === undefined) {
    if (kept.size >= MOST_KEPT) kept.clear();
    color = `rgb(${rgbOf(identity).join(" ")})`;
    kept.set(identity, color);
  }
  return color;
}

/** Dark ink for rims around light lines, and for numbers on identity colours. */
export const INK = "#12141a";
/** What lies behind skeletons without a picture. */
export const PAPER = "#12171f";

function toByte(linear: number): number {
  const bounded = Math.min(1, Math.max(0, linear));
  const encoded = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
  return Math.round(255 * encoded);
}
