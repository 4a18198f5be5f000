/** The largest result, in bytes of canonical JSON (D13, G-4). */
export const RESULT_LIMIT_BYTES = 1_048_576;
