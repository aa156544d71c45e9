"""A demo company: three vendors, three thousand cases, six months of history up to today.

`python -m demo data` fills an empty, migrated database; `python -m demo sign-ins` lists who can
sign in. History is played in through the portal's own services with the clock held at each moment
(`demo.stage`), one part a module: `people`, `cases`, `audits`, `deliveries`, `rectifications`,
`results`. Tests and benchmarks may take the parts they need.
"""
