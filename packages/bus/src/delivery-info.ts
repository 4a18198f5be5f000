/** What a consumer's delivery tells of itself, in its reply subject: the place in the stream and in the deliveries. */

export type DeliveryInfo = {
  readonly streamSequence: number;
  /** Counts deliveries of this consumer from 1, so that a gap is a message lost on its way. */
  readonly consumerSequence: number;
  /** Messages of the stream that the consumer has yet to deliver. */
  readonly pending: number;
};

/** Reads `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`. */
export function deliveryInfo(reply: string | undefined): DeliveryInfo {
  const tokens = (reply ?? '').split('.');
  // Servers with a domain put two tokens before the stream's name, and may put one after the last.
  const first = tokens.length > 9 ? 7 : 5;
  return {
    streamSequence: Number(tokens[first]),
    consumerSequence: Number(tokens[first + 1]),
    pending: Number(tokens[first + 3]),
  };
}
