// The bindings that the tests in workerd see: those of edge/wrangler.jsonc.

declare namespace Cloudflare {
  interface Env {
    readonly PARTITION: DurableObjectNamespace;
    readonly PROCESSOR: DurableObjectNamespace;
    readonly RELAY: DurableObjectNamespace;
    readonly CATALOG: DurableObjectNamespace;
  }
}
