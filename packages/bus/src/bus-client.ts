/** The kinds of client of the bus: the four services, and the command. Each has its own permissions. */

export const BUS_CLIENTS = ['ingest', 'scheduler', 'algo-runner', 'collector', 'operator'] as const;

export type BusClient = (typeof BUS_CLIENTS)[number];
