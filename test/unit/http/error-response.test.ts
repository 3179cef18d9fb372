import { Errors } from 'moleculer';
import { CastellanError } from '../../../lib/errors.ts';
import { errorResponse } from '../../../lib/http/error-response.ts';

const about = { action: 'messages.send', nodeID: 'node-1' };
const shown = (error: unknown, safe: boolean) => {
  const { status, retryAfter, body } = errorResponse(error, 'req', safe);
  return [status, body.error.type, retryAfter];
};

describe('what the bus says, as a client is told', () => {
  it.each([
    new Errors.ServiceNotFoundError(about),
    new Errors.ServiceNotAvailableError(about),
    new Errors.RequestSkippedError(about),
    new Errors.QueueIsFullError({ ...about, size: 1, limit: 1 }),
    new Errors.MoleculerError('Broker is disconnected!', 502, 'BAD_GATEWAY'),
    new CastellanError('SERVICE_UNAVAILABLE'),
  ])('$type: surely not run, so 503 with Retry-After', (error) => {
    expect(shown(error, true)).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
    expect(shown(error, false)).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
  });

  it.each([
    new Errors.RequestTimeoutError(about),
    new Errors.RequestRejectedError(about),
    new CastellanError('OUTCOME_UNKNOWN'),
  ])('$type: it may have run, which matters unless it only reads', (error) => {
    expect(shown(error, true)).toEqual([503, 'SERVICE_UNAVAILABLE', 1]);
    expect(shown(error, false)).toEqual([504, 'OUTCOME_UNKNOWN', null]);
  });

  it('names neither nodes nor actions', () => {
    const { body } = errorResponse(new Errors.RequestRejectedError(about), 'req', false);
    expect(JSON.stringify(body)).not.toMatch(/node-1|messages\.send/);
  });
});
