-- Every listing of psql. Those that need a server's word about sizes run where nothing changes them.
\d
\d+
\d shop.*
\d+ shop.*
\da *product*
\dA
\dA+
\dAc btree integer
\dAf btree integer
\dAo btree integer_ops
\dAp btree integer_ops
\db
\dc shop.*
\dC+ integer
\dconfig work_mem
\dd
\dD
\dD+
\ddp
\dE
\dew
\des
\deu
\det
\df shop.*
\df+ shop.*
\dfa shop.*
\dfp shop.*
\dft shop.*
\dF
\dF+ shop.words
\dFd simple
\dFp
\dFt simple
\dg postgres
\di
\di+ shop.*
\dl
\dL
\dm
\dn
\dn+ shop
\do shop.*
\do+ shop.*
\dO shop.*
\dp
\dP
\dP+
\drds
\dRp
\dRp+
\dRs
\ds
\dt
\dt+ shop.*
\dtv shop.*
\dT
\dT+ shop.*
\du postgres
\dv
\dx
\dx+
\dX
\dy
\dS pg_class
\dtS pg_catalog.pg_a*
\l template*
\sf shop.double(int)
\sf+ shop.double(int)
\sv shop.unpaid
\sv+ shop.unpaid
\z
\encoding
\encoding LATIN1
select 'ä';
\encoding UTF8
