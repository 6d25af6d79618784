// Which partitions a relay keeps in mind.

import { expect, test } from 'vitest';
import { Places } from '../../edge/objects/places.ts';
import type { LiveSocket } from '../../edge/objects/subscriptions.ts';

test('a subscription that is refused leaves no place behind', () => {
  const places = new Places();
  const socket = { tenant: 't', relay: 'r' } as LiveSocket;
  for (let i = 0; i < 100; i++) {
    const place = places.made({ topic: `junk${i}`, partition: 0 }, socket);
    place.pending += 1;
    places.arrived(place);
  }
  expect([...places.all]).toEqual([]);
  const shared = places.made({ topic: 'real', partition: 0 }, socket);
  shared.pending += 2;
  places.arrived(shared);
  expect([...places.all]).toEqual([shared]);
  shared.isSubscribed = true;
  places.arrived(shared);
  expect([...places.all]).toEqual([shared]);
});
