/**
 * What each kind of client may do on the bus: the subjects that it publishes to and reads, and nothing besides. The configuration of nats-server,
 * the commands for `nsc` and the chart are made from it; that it is enough is shown by every run, whose server knows these users alone.
 *
 * Names of frame buffers differ by stream and epoch, and NATS matches whole tokens: who makes or reads them is allowed a request on any stream, and
 * denied it on each of the installation's others. Installations that do not trust each other belong into accounts of their own.
 */

import { BUS_CLIENTS, type BusClient } from './bus-client.ts';
import {
  ACCOUNT_INFO,
  bucketStream,
  bucketSubjectPrefix,
  createTopology,
  durableSubjects,
  JETSTREAM_REQUESTS,
  type JetstreamRequest,
  STREAM_LIST,
  type Topology,
} from './topology.ts';

export type Permissions = {
  readonly publish: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
};

/** By client. @param prefix as the topology's. */
export function busPermissions(prefix: string): Readonly<Record<BusClient, Permissions>> {
  const topology = createTopology(prefix);
  const entries = BUS_CLIENTS.map((client) => {
    const grants = new Grants(topology, client);
    GRANTS[client](grants, topology);
    return [client, grants.permissions] as const;
  });
  return Object.fromEntries(entries) as Record<BusClient, Permissions>;
}

type BucketName = keyof Topology['buckets'];

/** Any frame buffer. */
const ANY = '*';

class Grants {
  readonly #topology: Topology;
  readonly #publish = new Set<string>();
  readonly #subscribe = new Set<string>();
  readonly #requests = new Map<JetstreamRequest, Set<string>>();

  constructor(topology: Topology, client: BusClient) {
    this.#topology = topology;
    this.publish(ACCOUNT_INFO);
    this.subscribe(`${topology.inboxPrefix(client)}.>`);
  }

  publish(...subjects: readonly string[]): this {
    for (const subject of subjects) this.#publish.add(subject);
    return this;
  }

  subscribe(...subjects: readonly string[]): this {
    for (const subject of subjects) this.#subscribe.add(subject);
    return this;
  }

  /** Requests about one stream. */
  ask(jetstream: string, ...requests: readonly JetstreamRequest[]): this {
    for (const request of requests) {
      const streams = this.#requests.get(request) ?? new Set();
      this.#requests.set(request, streams.add(jetstream));
    }
    return this;
  }

  /** Makes it where it is not there, and reads single keys. */
  open(...buckets: readonly BucketName[]): this {
    for (const name of buckets) this.ask(this.#stream(name), 'createStream');
    return this.read(...buckets);
  }

  /** Single keys of what others make. */
  read(...buckets: readonly BucketName[]): this {
    for (const name of buckets) this.ask(this.#stream(name), 'streamInfo', 'directGetOfSubject');
    return this;
  }

  watch(...buckets: readonly BucketName[]): this {
    const requests = [
      'createConsumer',
      'createNamedConsumer',
      'consumerInfo',
      'deleteConsumer',
      'flowControl',
    ] as const;
    for (const name of buckets) this.ask(this.#stream(name), ...requests);
    return this;
  }

  /** @param keys any, unless told. */
  write(bucket: BucketName, keys = '>'): this {
    return this.publish(`${bucketSubjectPrefix(this.#topology.buckets[bucket])}${keys}`);
  }

  /** Removes the markers of what was deleted. Ingests of older versions watch the buckets for that. */
  forget(...buckets: readonly BucketName[]): this {
    for (const name of buckets) this.watch(name).ask(this.#stream(name), 'purgeStream');
    return this;
  }

  get permissions(): Permissions {
    const allow = new Set(this.#publish);
    const deny = new Set<string>();
    for (const [request, streams] of this.#requests) {
      const subject = JETSTREAM_REQUESTS[request];
      if (streams.has(ANY))
        for (const name of this.#topology.fixedStreams) if (!streams.has(name)) deny.add(subject(name));
      for (const name of streams.has(ANY) ? [ANY] : streams) allow.add(subject(name));
    }
    return {
      publish: { allow: [...allow].sort(), deny: [...deny].sort() },
      subscribe: { allow: [...this.#subscribe].sort() },
    };
  }

  #stream(bucket: BucketName): string {
    return bucketStream(this.#topology.buckets[bucket]);
  }
}

const GRANTS: Readonly<Record<BusClient, (grants: Grants, topology: Topology) => void>> = {
  ingest(grants, topology) {
    grants
      .open('streams', 'runs', 'members', 'runners', 'assignments', 'snapshots')
      .watch('streams', 'runs', 'members')
      .write('streams')
      .write('runs')
      .write('members', 'ingest.*')
      .forget('streams', 'runs', 'members', 'runners', 'assignments', 'snapshots')
      .ask(ANY, 'createStream', 'deleteStream', 'streamInfo', 'directGet')
      .ask(topology.resultsStream, 'directGet')
      .ask(topology.deadLettersStream, 'directGet')
      .publish(topology.anyFrame, topology.anyStatus, topology.anyEnd, topology.anyReplayEnd)
      .subscribe(topology.anyReleased, topology.anyRewind);
  },
  scheduler(grants, topology) {
    grants
      .open('runners', 'runs', 'members', 'assignments', 'snapshots', 'costs')
      .watch('runners', 'runs', 'members', 'assignments', 'costs')
      .write('members', 'scheduler.*')
      .write('assignments')
      .write('snapshots')
      .write('costs')
      .ask(ANY, 'createNamedConsumer', 'deleteConsumer', 'flowControl', 'streamInfo', 'purgeStream', 'deleteStream')
      // Schedulers of older versions name none.
      .ask(ANY, 'createConsumer')
      .ask(topology.resultsStream, 'createStream', 'streamInfo', 'directGet')
      .ask(topology.deadLettersStream, 'createStream', 'streamInfo', 'directGet')
      .publish(topology.anyReleased, topology.anyRewind, topology.anyLanes)
      .publish(topology.anyResult, topology.anyEnd, topology.anyDeadLetterSubject, topology.anyReplaySubject(ANY))
      .subscribe(topology.anyHeaders);
  },
  'algo-runner'(grants) {
    grants.open('runners').write('runners').ask(ANY, 'directGet');
  },
  collector(grants, topology) {
    grants
      .open('streams', 'runs')
      .watch('streams', 'runs')
      .write('streams')
      .publish(STREAM_LIST, ...durableSubjects(topology.resultsStream, topology.collectorDurable))
      .ask(topology.resultsStream, 'createStream', 'streamInfo', 'purgeStream', 'directGet', 'listConsumers')
      .ask(topology.resultsStream, 'createConsumer')
      .subscribe(topology.anyStatus, topology.anyLanes);
  },
  operator(grants, topology) {
    // What an installation leaves on the bus is the operator's to remove.
    for (const name of [ANY, ...topology.fixedStreams]) grants.ask(name, 'deleteStream');
    grants
      .open('streams', 'runs')
      .read('members', 'runners')
      .watch('runs')
      .publish(STREAM_LIST)
      .ask(topology.resultsStream, 'listConsumers')
      .write('streams')
      .write('runs')
      .ask(topology.resultsStream, 'directGet')
      .ask(topology.deadLettersStream, 'streamInfo', 'directGet', 'deleteMessage', 'purgeStream')
      .subscribe(topology.anyStatus, topology.anyLanes);
  },
};
