/**
 * URLs without their credentials (I8). Sources are quoted in logs, faults and third parties' error texts; nothing of them
 * that could open a camera may be.
 */

const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s'"]*@/gi;
const SECRET_QUERY = /([?&;](?:[^=&\s]*(?:pass|pwd|token|secret|key|auth|sig)[^=&\s]*)=)[^&\s'"]+/gi;

/** `text` with the user info and secret-looking query values of every URL in it replaced by `***`. */
export const redactUrl = (text: string): string => text.replace(USER_INFO, '$1***@').replace(SECRET_QUERY, '$1***');

/** Whether credentials of it were replaced by `***`: such a text opens nothing. */
export const isRedacted = (text: string): boolean => /:\/\/\*{3}@|=\*{3}(?=$|[&;\s'"])/.test(text);
