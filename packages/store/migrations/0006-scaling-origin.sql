-- The descriptor whose policies of scaling were taken over. Another one than the service is made from: they are yet to be.
alter table service add column scaling_from text;
