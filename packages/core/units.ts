/** Branded numbers: two quantities that a reader could confuse do not mix. The brand exists at compile time only. */
declare const unit: unique symbol;
export type Quantity<U extends string> = number & { readonly [unit]?: U };

export type Milliseconds = Quantity<'ms'>;
export type Mbps = Quantity<'Mbit/s'>;
export type MiB = Quantity<'MiB'>;
/** Processor cores; fractions allowed. */
export type Cores = Quantity<'cores'>;
/** Parts of 1. */
export type Fraction = Quantity<'1'>;
