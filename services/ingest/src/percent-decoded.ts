/** A part of a URL as it was meant; as it stands where it is no such part. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
