import { expect, it, vi } from 'vitest';

it('waits as many times longer as the patience of the run says, whoever waits', async () => {
  vi.stubEnv('FAULTS_PATIENCE', '3');
  vi.resetModules();
  const { waitFor } = await import('../../support/waitFor.ts');
  await expect(waitFor('nothing', () => false, 10)).rejects.toThrow('waited 30 ms in vain');
});
