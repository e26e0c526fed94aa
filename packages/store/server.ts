import pg from 'pg';
import type { Backend, BackendOptions } from './backend.ts';
import { toStoreError } from './errors.ts';
import { limits } from './limits.ts';
import { ServerNotifications } from './server-notifications.ts';
import { withoutPassword } from './url.ts';

/** A PostgreSQL server, ours or somebody else's. */
export async function openServer(url: string, options: BackendOptions): Promise<Backend> {
  const config: pg.PoolConfig = {
    connectionString: url,
    application_name: 'superfluidity',
    connectionTimeoutMillis: limits.connectTimeoutMs,
    statement_timeout: limits.statementTimeoutMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...config, max: options.poolSize });
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'idle database connection failed'));
  const label = withoutPassword(url);
  try {
    await pool.query('select 1');
  } catch (error) {
    await pool.end();
    throw toStoreError(error, `open the database ${label}`);
  }
  const notifications = new ServerNotifications(config, options);
  return {
    kind: 'server',
    pool,
    label,
    onNotification: (channel, handler) => notifications.listen(channel, handler),
    async close() {
      await notifications.close();
      await pool.end();
    },
  };
}
