/** How a process reaches NATS, and as whom. The variables are those of the `nats` command, so that both take the same environment. */

import { z } from 'zod';

const path = (what: string) =>
  z.string().min(1).optional().describe(`Path of ${what}. Read again for each connection.`);
const secret = (what: string) => z.string().min(1).optional().describe(what);

export const busSettings = {
  natsUrl: z
    .string()
    .min(1)
    .default('nats://127.0.0.1:4222')
    .describe('The NATS server, or several with commas; tls:// takes none without TLS.'),
  natsPrefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .default('stream-infer')
    .describe('Begins every stream, bucket and subject, so that installations share a server.'),
  natsReplicas: z.coerce
    .number()
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe(
      'How many servers of a NATS cluster keep what is in files: the registry and the results. Of what is there already nothing changes.',
    ),
  natsUser: secret('User of NATS; with a password.'),
  natsPassword: secret('Password of that user.'),
  natsPasswordFile: path('a file with the password of that user'),
  natsToken: secret('Token of NATS, instead of a user.'),
  natsTokenFile: path('a file with that token'),
  natsCreds: path('a credentials file of NATS (.creds: JWT and seed), instead of a user'),
  natsNkey: path('a file with the seed of an nkey, instead of a user'),
  natsCa: path('the certificates that the certificate of the NATS server is verified by; with it TLS is required'),
  natsCert: path('our certificate, where the NATS server asks for one'),
  natsKey: path('the private key of that certificate'),
  natsServerName: z
    .string()
    .min(1)
    .optional()
    .describe('Name that the certificate of the NATS server must have. Default: the host of the URL.'),
};

export const busSettingsSchema = z.object(busSettings);
export type BusSettings = z.output<typeof busSettingsSchema>;
