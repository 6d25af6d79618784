// The deep proxies of reactive frameworks, by the rules of Vue's; knows no test.

/** As Vue's `reactive`: what says that it is an object or an array is wrapped, whatever its class, and so is all that is read of it. */
export function reactive<T>(value: T): T {
  if (!['[object Object]', '[object Array]'].includes({}.toString.call(value))) return value;
  const get = (...at: Parameters<typeof Reflect.get>): unknown => reactive(Reflect.get(...at));
  return new Proxy(value as object, { get }) as T;
}
