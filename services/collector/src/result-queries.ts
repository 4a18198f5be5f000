/**
 * What the store answers. What may be long comes in pages, bounded in rows and in bytes, so that neither memory nor the time for which
 * a page holds up the rest of the process grows with the store; the next page is asked for by the place of the last row.
 */

export type RunPlace = { readonly stream: string; readonly run: string };

export type RunSummary = RunPlace & {
  readonly id: number;
  /** The run end's text, null while it goes on. */
  readonly end: string | null;
  readonly results: number;
  readonly errors: number;
};

/** Where a page of records begins: behind this row. */
export type RecordPlace = { readonly n: number; readonly algorithm: string };
/** Where a page of a series begins: behind this row. */
export type SeriesPlace = { readonly keyMs: number; readonly n: number };

export type RecordRow = RecordPlace & { readonly record: string };
export type SeriesRow = SeriesPlace & { readonly record: string };
export type Series = { readonly id: number; readonly algorithm: string };

/** A result or a run's end, in the order of positions; no text where the filter leaves it out. */
export type EventRow = {
  readonly position: number;
  readonly kind: 'result' | 'end';
  readonly stream: string;
  /** Null of an end. */
  readonly algorithm: string | null;
  readonly text: string | null;
};

export type Page<Row> = {
  readonly rows: readonly Row[];
  /** Whether there is nothing behind it now. */
  readonly last: boolean;
};

export type StoreExtent = {
  /** The last committed sequence of this RESULTS. */
  readonly sequence: number;
  /** The position of the last committed message. */
  readonly position: number;
};

export type RecordsQuery = {
  readonly runId: number;
  readonly algorithm?: string;
  readonly after?: RecordPlace;
  readonly limit: number;
  /** The page ends with the row that brings its texts above this: characters, or bytes, as the store counts. */
  readonly maxCharacters?: number;
};

export type SeriesQuery = {
  readonly seriesId: number;
  readonly after: SeriesPlace;
  readonly toMs: number;
  readonly limit: number;
};

export type EventsQuery = {
  readonly after: number;
  readonly stream?: string;
  readonly algorithm?: string;
  readonly limit: number;
};

export type ResultQueries = {
  /** How far the store has come. */
  progress(): Promise<StoreExtent>;
  /** The newest run of every stream, by the stream's id. */
  streams(): Promise<RunSummary[]>;
  /** The runs of a stream, newest first. */
  runs(stream: string): Promise<RunSummary[]>;
  /** One run, the newest unless named. */
  run(stream: string, run?: string): Promise<RunSummary | undefined>;
  /** Those of these runs of which something is stored, in any order. */
  runsOf(places: readonly RunPlace[]): Promise<RunSummary[]>;
  /** The series of a run, by algorithm. */
  series(runId: number, algorithm?: string): Promise<Series[]>;
  /** Records of a run in the order of n, then algorithm. */
  records(query: RecordsQuery): Promise<Page<RecordRow>>;
  /** Records of a series in the order of time, those before `toMs`. */
  seriesRecords(query: SeriesQuery): Promise<Page<SeriesRow>>;
  /** The newest record of a series. */
  newest(seriesId: number): Promise<string | undefined>;
  /** Everything behind a position; ends pass every filter for an algorithm. */
  events(query: EventsQuery): Promise<Page<EventRow>>;
};
