/** A solver that never answers, nor looks whether it should end. */
for (let i = 0; ; i += 1) if (i === Number.MAX_SAFE_INTEGER) break;
