import { expect, test } from 'vitest';
import { authorizationBlock, nscCommands, passwordVariable } from './nats-authorization.ts';

const permissions = {
  'algo-runner': { publish: { allow: ['a.>', '$KV.b'], deny: ['a.c'] }, subscribe: { allow: ['d'] } },
};

test('a block of nats-server.conf, the passwords in variables', () => {
  expect(authorizationBlock(permissions, passwordVariable)).toBe(`authorization {
  users: [
    {
      user: "algo-runner"
      password: $ALGO_RUNNER_PASSWORD
      permissions: {
        publish: {allow: [
          "a.>"
          "$KV.b"
        ], deny: [
          "a.c"
        ]}
        subscribe: {allow: [
          "d"
        ]}
      }
    }
  ]
}
`);
});

test('commands for nsc, in which a shell expands nothing', () => {
  expect(nscCommands(permissions)).toBe(`nsc add user --name algo-runner \\
  --allow-pub 'a.>,$KV.b' \\
  --deny-pub 'a.c' \\
  --allow-sub 'd'
`);
});
