// Generators that can be left while they wait; knows no rows.

/**
 * The generator, whose `return` ends first what a `next` waits for: of itself it would wait for that `next`, which may be for ever. One that
 * has not begun ends it too, though its `finally` does not run.
 * @param end makes a `next` that waits come to an end
 */
export function endedBy<T>(
  items: AsyncGenerator<T, void, undefined>,
  end: () => unknown,
): AsyncGenerator<T, void, undefined> {
  const leave = items.return.bind(items);
  items.return = async (value) => {
    await end();
    return leave(value);
  };
  return items;
}
