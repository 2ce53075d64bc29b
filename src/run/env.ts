// Settings from the environment; where a runtime does not let them be read (Deno without --allow-env) there are none.

export function setting(name: 'NABLA_PROFILE' | 'NABLA_SIMD' | 'NABLA_THREADS'): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch {
    return undefined;
  }
}
