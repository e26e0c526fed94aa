-- The proof of the policies on what the sites had when the operation was over; that of the plan is kept with the plan.
alter table operation add column realised jsonb;
