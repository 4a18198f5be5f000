/** What kind of source a text names. Files end and can be read as fast as one likes; the rest is live. */

export type SourceKind = 'file' | 'device' | 'url';

/** Devices are named as ffmpeg names them: input format, colon, device; a camera by its path too. Files may lie in /dev, as in /dev/shm. */
const DEVICE = /^(?:(?:v4l2|avfoundation|dshow|x11grab|gdigrab|kmsgrab|fbdev|decklink|lavfi):.|\/dev\/video\d+$)/s;

/** `file://` is a file, not a URL. */
export function sourceKind(source: string): SourceKind {
  if (DEVICE.test(source)) return 'device';
  return /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(source) ? 'url' : 'file';
}
