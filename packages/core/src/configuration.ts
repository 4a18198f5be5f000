/**
 * The whole configuration: one schema for the command, the services and Helm. Validated whole before anything starts; a message
 * names the key, what was given and what is allowed (configuration-fault.ts).
 */

import { z } from 'zod';
import { algorithmDefinitionSchema } from './algorithm-definition.ts';
import { SERVICE_SETTINGS } from './settings.ts';
import { sourcesSchema } from './source-allowance.ts';
import { streamDefinitionSchema } from './stream-definition.ts';

export const configurationSchema = z.strictObject({
  algorithms: z.array(algorithmDefinitionSchema).min(1).describe('The algorithms there are.'),
  streams: z.array(streamDefinitionSchema).default([]).describe('The streams to play.'),
  sources: sourcesSchema.optional().describe('What may be played.'),
  ingest: SERVICE_SETTINGS.ingest.partial().optional().describe('Settings of the ingest service.'),
  scheduler: SERVICE_SETTINGS.scheduler.partial().optional().describe('Settings of the scheduler service.'),
  algoRunner: SERVICE_SETTINGS.algoRunner.partial().optional().describe('Settings of the algo-runner service.'),
  collector: SERVICE_SETTINGS.collector.partial().optional().describe('Settings of the collector service.'),
});

export type Configuration = z.output<typeof configurationSchema>;

/**
 * A list of streams for an installation that is there. With algorithms beside it, as in a whole configuration, it says itself when they are due;
 * without, the installation does. The rest is not looked at.
 */
export const streamListSchema = z.looseObject({
  algorithms: configurationSchema.shape.algorithms.optional(),
  streams: z.array(streamDefinitionSchema),
});
