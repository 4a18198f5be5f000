/** A fault as it is announced for as long as it lasts: short, and without credentials, whoever wrote its message. Pure. */

import type { FaultJson } from './fault.ts';
import { redactUrl } from './redact-url.ts';

const MESSAGE_LENGTH = 300;

export const toldFault = ({ code, message }: FaultJson): FaultJson => ({
  code,
  message: redactUrl(message).replaceAll(/\s+/g, ' ').slice(0, MESSAGE_LENGTH),
});
