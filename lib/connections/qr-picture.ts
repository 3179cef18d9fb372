import QRCode from 'qrcode';

const DEFAULT_SIZE_PX = 320;
/** quiet zone, in modules; the standard asks for four */
const MARGIN = 4;

/** @param size edge in pixels */
export function qrPng(text: string, size = DEFAULT_SIZE_PX): Promise<Buffer> {
  return QRCode.toBuffer(text, { type: 'png', width: size, margin: MARGIN });
}

export function qrSvg(text: string): Promise<string> {
  return QRCode.toString(text, { type: 'svg', margin: MARGIN });
}

/** For a terminal: half blocks, two modules a character. */
export function qrText(text: string): Promise<string> {
  return QRCode.toString(text, { type: 'utf8', margin: 2 });
}
